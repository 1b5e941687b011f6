"""Follow-up visits: which are due, from the state of entities, the visits made, the rules and the calendar."""
