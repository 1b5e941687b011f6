"""The entry point: `flask --app wsgi`, or gunicorn with `-c config/gunicorn.py wsgi:app`."""

from server.app import create_app

app = create_app()
