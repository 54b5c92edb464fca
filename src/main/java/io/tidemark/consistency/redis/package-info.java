/** Freezes Redis 6.2 to 8 by a pause of its writers that ends by itself, on one kept connection. */
@NullMarked
package io.tidemark.consistency.redis;

import org.jspecify.annotations.NullMarked;
