# Run at installation, when the prefix is known: the unit and the config, which name paths. With the
# prefix /usr configs are in /etc; with any other, below it. A config that is there is kept.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(config_directory /etc/gocomet)
else()
  set(config_directory ${CMAKE_INSTALL_PREFIX}/etc/gocomet)
endif()
set(program_directory ${CMAKE_INSTALL_PREFIX}/bin)
set(data_directory ${CMAKE_INSTALL_PREFIX}/share/gocomet)
set(document_directory ${CMAKE_INSTALL_PREFIX}/share/doc/gocomet)

foreach(file gocomet.service config.yaml)
  configure_file(${GOCOMET_PACKAGING}/${file}.in ${GOCOMET_CONFIGURED}/${file} @ONLY)
endforeach()
file(INSTALL ${GOCOMET_CONFIGURED}/gocomet.service
  DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
if(EXISTS $ENV{DESTDIR}${config_directory}/config.yaml)
  message(STATUS "Kept: $ENV{DESTDIR}${config_directory}/config.yaml")
else()
  file(INSTALL ${GOCOMET_CONFIGURED}/config.yaml DESTINATION ${config_directory})
endif()
