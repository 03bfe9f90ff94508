"""Every name of a metric that jiantu exports, in one place."""
