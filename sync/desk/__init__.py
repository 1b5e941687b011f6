"""A supervisor's acts: each a submission in the same log, reversible, and none edits bytes."""
