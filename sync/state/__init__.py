"""The state of an entity as a pure function of the set of its ops: the merge engine."""
