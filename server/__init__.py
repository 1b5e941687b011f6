"""The Flask shell: everything that knows of HTTP, SQL, the clock and the disk."""
