/** Rules over the whole tree. */
@NullMarked
package io.tidemark.architecture;

import org.jspecify.annotations.NullMarked;
