"""The pages for people, as a test client gets them."""
