images: shared
