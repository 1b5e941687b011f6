"""What happens to a batch: pure code, without Flask, SQL or a clock of its own."""
