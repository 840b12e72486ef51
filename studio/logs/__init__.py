"""Log groups, streams and events of clients' own: the tables, and how they are searched.

They lie in the database and not in files: an acknowledged batch shares the commit of everything
else that waits, a backup holds it, and PostgreSQL takes it along. Logs of runs stay in the files
that the runs themselves write.
"""
