"""mat2 as an engine of Pristine: one file in, a rebuilt one or a refusal out."""
