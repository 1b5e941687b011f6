"""Planning at night, issuing lists, and who may run the jobs."""
