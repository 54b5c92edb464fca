/** What a kind of storage must offer to be snapshotted and replicated. JDK only; published and documented wholly. */
@NullMarked
package io.tidemark.spi;

import org.jspecify.annotations.NullMarked;
