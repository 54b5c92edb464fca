@NullMarked
package io.tidemark.spi;

import org.jspecify.annotations.NullMarked;
