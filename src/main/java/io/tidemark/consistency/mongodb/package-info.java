/** Has MongoDB 5 and later write its journal before a cut, and proves that it is the same server after it. */
@NullMarked
package io.tidemark.consistency.mongodb;

import org.jspecify.annotations.NullMarked;
