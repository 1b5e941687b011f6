"""From new sheets to a published version of a form: what is asked of them, and which files change."""
