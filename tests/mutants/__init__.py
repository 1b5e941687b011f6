"""Wrong variants of the rules, each a small patch; the tests must notice every one. Run by `make mutants`."""
