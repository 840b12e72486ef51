"""What happens, told to those who listen: resources, objects, logs, metrics, the machine's load."""
