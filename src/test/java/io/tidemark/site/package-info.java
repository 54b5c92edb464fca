/** A whole site in one process for tests: real store, volumes in memory, agents that do as they are told. */
@NullMarked
package io.tidemark.site;

import org.jspecify.annotations.NullMarked;
