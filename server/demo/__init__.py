"""A commune that does not exist, for demonstrations and tests: people, visits, answers.

Nobody in it is real: names are drawn from lists of name parts, and every number (personal ID, insurance card,
telephone) begins with digits that were never issued. Nothing here knows Flask or a database.
"""
