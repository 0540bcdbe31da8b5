"""The names of the shop's things in what shoppers write: products, brands, kinds of things, colours, sizes, cities, stores."""
