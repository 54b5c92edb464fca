/** When what is due: pure functions of time. */
@NullMarked
package io.tidemark.policy;

import org.jspecify.annotations.NullMarked;
