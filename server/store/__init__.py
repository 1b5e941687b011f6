"""The database: tables, the one Store, and the one file where SQLite and PostgreSQL differ."""
