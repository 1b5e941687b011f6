"""Process shape: one process with threads for SQLite (one writer), a few for PostgreSQL."""

from config.settings import read_settings

bind = "127.0.0.1:8000"
worker_class = "gthread"
workers = 1 if read_settings().embedded else 2
threads = 8
timeout = 60
control_socket_disable = True
