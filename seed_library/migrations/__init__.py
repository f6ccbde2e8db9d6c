"""SQL migrations of the target table, in the order of their names. They can be applied again without harm."""
