"""Where records come from. Every source hands raw lines and positions to the core's decoder."""
