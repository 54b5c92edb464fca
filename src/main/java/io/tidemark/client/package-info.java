/** Speaks the HTTP API of a site: what the command line and the quickstart share. Knows nothing of the service's inside. */
@NullMarked
package io.tidemark.client;

import org.jspecify.annotations.NullMarked;
