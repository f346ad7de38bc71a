import { status } from '@grpc/grpc-js';
import { demandLive, mayEdit, mayRead } from './access.ts';
import { type Method, method, parentOfName, timestamp } from './method.ts';
import { findProperty } from './properties.ts';
import { invalidArgument, notFound, refuse } from './refuse.ts';
import type { FirebaseLink, World } from './world.ts';

/** "Properties can have at most one FirebaseLink", so that a list has one page. */
export const firebaseLinkMethods: Readonly<Record<string, Method>> = {
  ListFirebaseLinks: method<{ parent?: string }>({
    kind: 'read',
    parentOf: ({ parent }) => parent,
    run(context, { parent }) {
      const { name } = findProperty(context, parent, mayRead);
      const link = linkOf(context.world, name);
      return { firebaseLinks: link === undefined ? [] : [asMessage(link)] };
    },
  }),

  CreateFirebaseLink: method<{ parent?: string; firebaseLink?: { project?: string } }>({
    kind: 'write',
    parentOf: ({ parent }) => parent,
    run(context, { parent, firebaseLink }) {
      const { world, nowMs } = context;
      const { name: property } = findProperty(context, parent, mayEdit);
      demandLive(world, property);
      const project = /^projects\/(?<project>[\w:.-]+)$/.exec(firebaseLink?.project ?? '')?.groups?.project;
      if (project === undefined) throw invalidArgument('The project must be projects/{project}.');
      if (linkOf(world, property) !== undefined) {
        throw refuse(status.ALREADY_EXISTS, `${property} is linked with a Firebase project already.`);
      }
      const name = `${property}/firebaseLinks/${world.newId()}`;
      // What is answered has the number, whatever was given.
      const projectNumber = /^\d+$/.test(project) ? project : numberOf(world, project);
      const link = { name, projectId: project, projectNumber, createdMs: nowMs };
      world.firebaseLinks.set(name, link);
      return asMessage(link);
    },
  }),

  DeleteFirebaseLink: method<{ name?: string }>({
    kind: 'write',
    parentOf: ({ name }) => parentOfName(name),
    run(context, { name = '' }) {
      const { world } = context;
      const { name: property } = findProperty(context, parentOfName(name), mayEdit);
      demandLive(world, property);
      if (!world.firebaseLinks.delete(name)) throw notFound(name);
      return {};
    },
  }),
};

function linkOf(world: World, property: string): FirebaseLink | undefined {
  return [...world.firebaseLinks.values()].find(({ name }) => parentOfName(name) === property);
}

function numberOf(world: World, projectId: string): string {
  const known = [...world.firebaseLinks.values()].find((link) => link.projectId === projectId);
  return known?.projectNumber ?? world.newId();
}

function asMessage({ name, projectNumber, createdMs }: FirebaseLink): object {
  return { name, project: `projects/${projectNumber}`, createTime: timestamp(createdMs) };
}
