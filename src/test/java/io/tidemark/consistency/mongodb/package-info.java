@NullMarked
package io.tidemark.consistency.mongodb;

import org.jspecify.annotations.NullMarked;
