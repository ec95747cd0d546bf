# The portal of LemonLDAP::NG with its static files, for a PSGI server. The account alice is
# added to the product's demonstration accounts, whose passwords are their names.
use strict;
use warnings;
use Plack::App::File;
use Plack::Builder;
use Lemonldap::NG::Portal::Main;
use Lemonldap::NG::Portal::UserDB::Demo;

$Lemonldap::NG::Portal::UserDB::Demo::demoAccounts{alice} =
  { uid => 'alice', cn => 'Alice', mail => 'alice@pool.example' };

my %static = (
    '/static'     => '/usr/share/lemonldap-ng/portal/htdocs/static',
    '/javascript' => '/usr/share/javascript',
);

builder {
    mount $_ => Plack::App::File->new( root => $static{$_} )->to_app for keys %static;
    mount '/' => Lemonldap::NG::Portal::Main->run( {} );
};
