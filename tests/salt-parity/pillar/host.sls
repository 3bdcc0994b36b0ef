role: web
nested: {deep: [1, {two: 2}]}
