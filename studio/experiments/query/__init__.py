"""The language that asks for trial components: parsed and compiled to SQL, never evaluated."""
