"""The officers' pages, as a test client gets them."""
