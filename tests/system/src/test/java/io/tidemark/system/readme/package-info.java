/** The README does what it says. */
@NullMarked
package io.tidemark.system.readme;

import org.jspecify.annotations.NullMarked;
