@NullMarked
package io.tidemark.block;

import org.jspecify.annotations.NullMarked;
