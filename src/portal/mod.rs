//! What users do: one URL table, steps, answers. Floor: edge.
