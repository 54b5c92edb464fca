/** What control needs kept: implemented by the store. Every write is durable on return. */
@NullMarked
package io.tidemark.control.port;

import org.jspecify.annotations.NullMarked;
