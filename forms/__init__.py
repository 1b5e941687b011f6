"""What is asked and what an entity is: forms, code lists, entity types, and the checks on answers. Pure."""
