"""jiantu: early warning over streaming governance signals."""
