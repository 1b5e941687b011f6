"""Photos and other files that come with submissions: how they arrive, and how they are kept."""
