"""The JSON API under /api/v1. Views authenticate, call one use case, and answer."""
