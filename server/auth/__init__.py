"""Who is asking, and what may be shown to him."""
