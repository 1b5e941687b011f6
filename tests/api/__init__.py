"""Tests of the HTTP API, each on its own small server."""
