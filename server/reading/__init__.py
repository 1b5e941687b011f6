"""What pages and endpoints show, read from the store; nothing here writes."""
