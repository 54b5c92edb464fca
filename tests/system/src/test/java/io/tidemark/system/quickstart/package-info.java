/** The quickstart, killed and interrupted: nothing may be left behind. */
@NullMarked
package io.tidemark.system.quickstart;

import org.jspecify.annotations.NullMarked;
