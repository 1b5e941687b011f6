"""The entry point: `flask --app wsgi`, or gunicorn with `-c config/gunicorn.py wsgi:app`."""

import gc
import os

from server.app import create_app
from server.serve import begin

app = create_app()

# A command of `flask` is no server: it neither runs jobs nor holds the lease.
if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
    begin(app)

# What is here by now stays: forms, tables, code. The collector need not look at it again while batches come in.
gc.collect()
gc.freeze()
