/** Tests of volumes in memory. */
@NullMarked
package io.tidemark.provider.memory;

import org.jspecify.annotations.NullMarked;
