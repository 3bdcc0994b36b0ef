include: [no.such.file]
