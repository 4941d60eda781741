"""Training loops: data order, accumulation, unscaling, clipping, schedule, optimizer, average."""
