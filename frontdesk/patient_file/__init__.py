"""What is done with all that the product holds of one patient: merged, given out, erased. Each package does it with what it keeps."""
