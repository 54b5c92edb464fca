/** Several hosts in network namespaces: a controller and agents, each in a process of its own. */
@NullMarked
package io.tidemark.system.hosts;

import org.jspecify.annotations.NullMarked;
