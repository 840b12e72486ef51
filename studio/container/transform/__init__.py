"""What a batch transform does with files: split them, filter, ask the model, join, assemble.

It knows no S3 and no job: who drives it brings the files and takes what it makes of them.
"""
