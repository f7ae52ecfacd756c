"""What users write: one module per kind, conditions and reasons, canonical forms, CRD generation."""
