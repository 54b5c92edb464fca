/** Open files and devices as images of the block engine: the I/O that {@code io.tidemark.block} has none of. */
@NullMarked
package io.tidemark.blockfile;

import org.jspecify.annotations.NullMarked;
