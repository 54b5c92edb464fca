/** Wires every role by hand: the only place that sees all parts. */
@NullMarked
package io.tidemark.bootstrap;

import org.jspecify.annotations.NullMarked;
